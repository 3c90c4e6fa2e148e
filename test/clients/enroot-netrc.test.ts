/** Enroot's file, read by the real curl: our reader's answer against what it sends, and that what we write arrives. */
import { describe, expect } from "bun:test";
import type { ConsumerLogin, Target } from "#consumers";
import { Secret } from "#core";
import { needs, programPath } from "../support/programs.ts";
import { runProgram } from "../support/run-program.ts";
import type { Shown } from "../support/token-recorder.ts";
import { consumer, expected, useReaders } from "../support/use-readers.ts";

const it = useReaders();
const { home, answerOf } = it;

describe("enroot's file, read by the real curl", () => {
  /** As Enroot 4 calls it, with the token endpoint on another name than the registry. */
  async function sentByCurl(path: string): Promise<readonly Shown[]> {
    it.elsewhere.take();
    await runProgram([programPath("curl"), "-sS", "-G", "--netrc-file", path, "--", it.elsewhere.realm], {
      env: { PATH: "/usr/bin:/bin", HOME: it.scratch.at("home") },
    });
    return it.elsewhere.take();
  }

  function enrootHome(text: string): Target {
    return {
      ...home({ ".config/enroot/.credentials": text }),
      versions: { curl: "7.88.1" },
      realmHosts: { [it.elsewhere.host]: ["localhost"] },
    };
  }

  const both = (password: string): string =>
    `machine 127.0.0.1 login u password ${password}\nmachine localhost login u password ${password}\n`;
  const files: readonly [string, string][] = [
    ["both hosts", both("word")],
    ["the registry's host alone", "machine 127.0.0.1 login u password word\n"],
    ["a dollar inside", both("a$ecret")],
    ["a hash inside", both("a#bc")],
    ["a quote inside", both('a"b')],
    ["single quotes", both("'abc'")],
    ["backslashes", both("a\\b\\\\c")],
    ["quotes", both('"a b  c"')],
    ["escapes in quotes", both('"a\\"b\\\\c\\td"')],
    ["a colon and umlauts", both("p:ä€")],
    ["a comment before", `# machine localhost login no password no\n${both("word")}`],
    ["no last newline", both("word").trimEnd()],
    ["line ends of Windows", both("word").replaceAll("\n", "\r\n")],
    ["two lines for the token host", `machine localhost login first password one\n${both("word")}`],
    ["a block over lines before", `machine localhost\n  login block\n  password block-word\n${both("word")}`],
    ["default before", `default login d password d-word\n${both("word")}`],
    ["default after", `${both("word")}default login d password d-word\n`],
    [
      "password before login",
      `machine 127.0.0.1 login u password w\nmachine localhost password word login u\n`,
    ],
    [
      "the host in capitals",
      `machine 127.0.0.1 login u password w\nmachine LOCALHOST login u password word\n`,
    ],
    ["a macro before", `macdef init\ncd /\n\n${both("word")}`],
  ];
  for (const [name, text] of files) {
    needs("curl")(name, async () => {
      const target = enrootHome(text);
      const answer = await answerOf("enroot", target, `${it.elsewhere.host}/team/x:1`);
      const [sent] = await sentByCurl(it.scratch.at("home/.config/enroot/.credentials"));
      if (answer.kind === "login") expect<Shown | "broken" | undefined>(sent).toEqual(expected(answer));
      else {
        expect(name).toBe("the registry's host alone");
        expect(answer.kind).toBe("broken");
        expect(sent).toEqual({ kind: "anonymous" });
      }
    });
  }

  for (const secret of [
    "word",
    "$lead",
    "#lead",
    '"lead',
    "with space",
    "a\\b c",
    'q"u$o#te',
    " edge ",
    "tab\there",
    "p:ä€",
  ]) {
    needs("curl")(`what we write for ${JSON.stringify(secret)} arrives`, async () => {
      const target = enrootHome("");
      const ours: ConsumerLogin = {
        name: "l",
        registry: it.elsewhere.host,
        path: undefined,
        username: "$oauthtoken",
        secret: new Secret(secret),
        realmHosts: ["localhost"],
      };
      const [document] = consumer("enroot").compile([ours], target).documents;
      if (document === undefined) throw new Error("no document");
      const merged = consumer("enroot").merge(
        Buffer.from("default login no password no\n"),
        document,
        new Set(),
      );
      await Bun.write(document.path, merged.content ?? "");
      const [sent] = await sentByCurl(document.path);
      expect(sent).toEqual({ kind: "basic", username: "$oauthtoken", secret });
      expect(expected(await answerOf("enroot", target, `${it.elsewhere.host}/team/x:1`))).toEqual({
        kind: "basic",
        username: "$oauthtoken",
        secret,
      });
    });
  }
});
