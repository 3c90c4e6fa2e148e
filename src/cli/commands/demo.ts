import type { Command } from "../command.ts";

export const demo: Command = {
  path: ["demo"],
  summary: "walk the whole way in a temporary folder, and leave nothing behind",
  description:
    "Starts a registry on a free port of loopback, makes a project and a robot, delivers the robot's login to docker and podman in a temporary home, pushes and pulls a small image with it, asks why, and shows a refusal. Every command is a real one. No docker is needed, nothing leaves this machine, and no file but those of the temporary folder is touched.",
  examples: [{ command: "wharf demo", says: "see it work" }],
  async run({ terminal, context, env, json }) {
    const { ensurePrivateFolder, withTemporaryFolder } = await import("#system");
    const { Stage } = await import("../demo/stage.ts");
    const { walk } = await import("../demo/walk.ts");
    return withTemporaryFolder("wharf-demo-", async (folder) => {
      const home = `${folder}/home`;
      await ensurePrivateFolder(home);
      await ensurePrivateFolder(`${home}/.run`);
      const path = env.PATH ?? "/usr/bin:/bin";
      const stage = new Stage({
        terminal: json ? { ...terminal, out: () => undefined } : terminal,
        context,
        home,
        path,
      });
      stage.show(`The demo's home is a temporary folder; ~ stands for it below.\n`);
      await walk(stage, home, path, context);
      stage.show(`\nThat was all; the folder is gone again. 'wharf serve' starts the registry that stays.\n`);
      if (json) terminal.out(`${JSON.stringify({ steps: stage.steps })}\n`);
      return 0;
    });
  },
};
