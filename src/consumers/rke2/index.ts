import { createRegistriesConsumer } from "../k3s/create-registries-consumer.ts";

/** RKE2, on each node: k3s's `registries.yaml` in a folder of its own. */
export const rke2 = createRegistriesConsumer("rke2");
