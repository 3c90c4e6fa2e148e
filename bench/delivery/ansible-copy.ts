import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { findProgram } from "../../test/support/programs.ts";
import { runProgram } from "../../test/support/run-program.ts";
import type { Deliverer } from "./deliverer.ts";
import type { DeliveryBench } from "./delivery-row.ts";
import type { Fleet } from "./fleet.ts";

/** Ansible with the file that lies at the fleet's hosts; undefined, and said, where it is not here. */
export async function createAnsibleCopy(
  bench: DeliveryBench,
  fleet: Fleet,
  name: string,
): Promise<Deliverer | undefined> {
  const ansible = findProgram("ansible");
  if (ansible === undefined) {
    bench.say("ansible.builtin.copy is left out: ansible-core is not on this machine (--install-tools)");
    return undefined;
  }
  const [home = ""] = fleet.homes.values();
  const user = bench.scratch.at(name);
  mkdirSync(user, { mode: 0o700 });
  const source = bench.scratch.at(name, "config.json");
  writeFileSync(source, readFileSync(`${home}/.docker/config.json`), { mode: 0o600 });
  const inventory = bench.scratch.at(name, "inventory");
  const lines = [...fleet.homes].map(([host, at]) => `${host} at=${at}\n`).join("");
  writeFileSync(inventory, lines);
  const config = bench.scratch.at(name, "ansible.cfg");
  writeFileSync(
    config,
    "[defaults]\nforks = 20\ninterpreter_python = /usr/bin/python3\nretry_files_enabled = False\n[ssh_connection]\npipelining = True\n",
  );
  const env = { ...fleet.env, HOME: user, ANSIBLE_CONFIG: config, LC_ALL: "C.UTF-8" };
  const version = await runProgram([ansible, "--version"], { env });
  bench.versions.set("ansible-core", version.out.split("\n")[0] ?? "");
  return {
    sockets: [`${user}/.ansible/cp`],
    reset: () => fleet.empty(true),
    run: () => ({
      command: [
        ansible,
        "all",
        "-i",
        inventory,
        "-m",
        "ansible.builtin.copy",
        "-a",
        `src=${source} dest={{at}}/.docker/config.json mode=0600`,
      ],
      env,
    }),
  };
}
