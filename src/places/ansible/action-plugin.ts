/**
 * The one task of our playbook: an action plug-in, which runs here, in ansible-playbook, for each host. It asks wharf over a socket what to
 * do, runs that over Ansible's own connection, with what is to be written on standard input, and hands the answer back. So no secret is
 * ever a variable, an argument, a result or a fact of Ansible's, and nothing is copied to the host to be run there.
 */
export const ACTION_NAME = "wharf_deliver";

export const ACTION_PLUGIN = String.raw`
import base64
import json
import socket

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super(ActionModule, self).run(tmp, task_vars)
        link = socket.socket(socket.AF_UNIX)
        link.connect(self._task.args["socket"])
        stream = link.makefile("rwb")

        def say(**message):
            stream.write(json.dumps(message).encode("utf-8") + b"\n")
            stream.flush()

        say(host=task_vars["inventory_hostname"])
        for line in stream:
            work = json.loads(line)
            if "command" not in work:
                break
            try:
                done = self._low_level_execute_command(
                    work["command"], sudoable=True, in_data=base64.b64decode(work["stdin"])
                )
                output = done["stdout"].encode("utf-8", "surrogateescape")
                say(stdout=base64.b64encode(output).decode("ascii"), stderr=done["stderr"][-2000:])
            except AnsibleConnectionFailure as error:
                say(unreachable=str(error)[-2000:])
            except AnsibleError as error:
                say(refused=str(error)[-2000:])
        link.close()
        result.update(changed=False, failed=False)
        return result
`;

/** The playbook, as JSON, which is YAML. `become` only where the delivery says sudo: else as the site has it. */
export function renderPlaybook(hosts: readonly string[], socket: string, become: boolean): string {
  const play = {
    name: "wharf delivers logins",
    hosts,
    gather_facts: false,
    any_errors_fatal: false,
    ...(become ? { become: true } : {}),
    tasks: [
      {
        name: "deliver",
        [ACTION_NAME]: { socket },
        no_log: true,
        ignore_errors: true,
        ignore_unreachable: true,
      },
    ],
  };
  return JSON.stringify([play]);
}
