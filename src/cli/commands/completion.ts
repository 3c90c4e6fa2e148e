import type { Command } from "../command.ts";

export const completion: Command = {
  path: ["completion"],
  summary: "print the completion script of a shell",
  description:
    "Load it where your shell starts, as the examples show. It knows every command, option and choice; it never asks a registry.",
  args: [{ name: "shell", summary: "your shell", choices: ["bash", "zsh", "fish"] }],
  examples: [
    { command: "wharf completion bash > ~/.local/share/bash-completion/completions/wharf", says: "bash" },
    { command: 'wharf completion zsh > "${fpath[1]}/_wharf"', says: "zsh" },
    { command: "wharf completion fish > ~/.config/fish/completions/wharf.fish", says: "fish" },
  ],
  async run({ args, terminal, json }) {
    const { renderCompletion } = await import("../render-completion.ts");
    const { createCommandTable } = await import("../command-table.ts");
    const { groups, sections } = await import("../commands.ts");
    const script = await renderCompletion(createCommandTable(sections, groups), String(args.shell));
    terminal.out(json ? `${JSON.stringify({ shell: args.shell, script })}\n` : script);
    return 0;
  },
};
