import { expect, test } from "bun:test";
import { asTyped } from "./as-typed.ts";

const paths = ["login", "logins", "sign-in", "vault rekey", "apply"];

test.each([
  ["run `wharf vault rekey`", "run `bin/wharf vault rekey`"],
  ["wharf login r.example, then wharf apply", "bin/wharf login r.example, then bin/wharf apply"],
  ["see 'wharf sign-in --help'", "see 'bin/wharf sign-in --help'"],
  // Prose, other names, and what is right already.
  ["wharf left it as it was; wharf signs in", "wharf left it as it was; wharf signs in"],
  ["a newer wharf applies it", "a newer wharf applies it"],
  ["/opt/wharf login, my-wharf apply", "/opt/wharf login, my-wharf apply"],
  ["bin/wharf apply", "bin/wharf apply"],
])("%s", (text, typed) => {
  expect(asTyped(text, "bin/wharf", paths)).toBe(typed);
  expect(asTyped(text, "wharf", paths)).toBe(text);
});

test("what is typed is put in to the letter", () => {
  expect(asTyped("wharf apply", "/a$&b/wharf", paths)).toBe("/a$&b/wharf apply");
});
