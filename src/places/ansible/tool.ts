import { AppError, type Context } from "#core";
import { findProgram, type ProgramResult, runProgram } from "#system";

/** The site's own ansible-core: found on PATH, with its configuration from `cwd` and the environment. */
export interface AnsibleTool {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the site's ansible.cfg is looked for. */
  readonly cwd: string;
}

/** What Ansible and OpenSSH need of the environment; the secrets that sources may keep there stay here. */
const FOR_ANSIBLE =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TERM|TMPDIR|VIRTUAL_ENV|PYTHON[A-Z]+|SSH_[A-Z_]+|KRB5[A-Z_]*|XDG_[A-Z_]+|ANSIBLE_[A-Z_]+)$/;

/** What would put more of a run on disk or on the screen than it says. */
const NOT_FOR_ANSIBLE =
  /^ANSIBLE_(?:DEBUG|VERBOSITY|LOG_PATH|KEEP_REMOTE_FILES|STDOUT_CALLBACK|CALLBACKS_ENABLED)$/;

/** Runs one of Ansible's programs; its exit code is a value. Throws NOT_FOUND where it is not installed. */
export async function runAnsible(
  context: Context,
  { env, cwd }: AnsibleTool,
  call: {
    readonly argv: readonly [string, ...string[]];
    readonly timeoutMs: number;
    readonly maxBytes: number;
  },
): Promise<ProgramResult> {
  const [name, ...args] = call.argv;
  const program = findProgram(name, env["PATH"]);
  if (program === undefined)
    throw new AppError("NOT_FOUND", `there is no program ${name} here`, {
      hint: "install ansible-core, or put the folder of its programs on PATH",
    });
  return await runProgram(context, {
    argv: [program, ...args],
    cwd,
    env: {
      ...Object.fromEntries(
        Object.entries(env).filter(([key]) => FOR_ANSIBLE.test(key) && !NOT_FOR_ANSIBLE.test(key)),
      ),
      ANSIBLE_NOCOLOR: "1",
      ANSIBLE_STDOUT_CALLBACK: "default",
      // A plug-in of the site's that sends results somewhere has no business with these runs.
      ANSIBLE_CALLBACKS_ENABLED: "",
      ANSIBLE_LOG_PATH: "/dev/null",
      ANSIBLE_GATHERING: "explicit",
      ANSIBLE_STRATEGY: "linear",
      // Somebody's `False` would send secrets to whoever answers.
      ANSIBLE_HOST_KEY_CHECKING: "True",
      // Half an inventory would look like hosts that left it.
      ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED: "True",
      ANSIBLE_RETRY_FILES_ENABLED: "False",
    },
    timeoutMs: call.timeoutMs,
    maxBytes: call.maxBytes,
  });
}

/** Ansible says last what it came to. */
export function lastWords({ stdout, stderr }: ProgramResult): string {
  for (const text of [stderr, new TextDecoder().decode(stdout)]) {
    const line = text
      .split("\n")
      .map((one) => one.trim())
      .filter((one) => one !== "" && !one.startsWith("[WARNING]"))
      .at(-1);
    if (line !== undefined) return line.slice(0, 300);
  }
  return "it ended without a word";
}
