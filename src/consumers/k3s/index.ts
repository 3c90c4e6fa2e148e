import { createRegistriesConsumer } from "./create-registries-consumer.ts";

/** k3s, on each node: `registries.yaml` is read when the service starts. */
export const k3s = createRegistriesConsumer("k3s");
