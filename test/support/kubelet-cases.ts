const b64 = (text: string): string => Buffer.from(text).toString("base64");
const entry = (pair: string): object => ({ auth: b64(pair) });

/** The user of a key in these cases. */
export const userOf = (key: string): string => key.replace(/[:/]/g, "_");

/** A config with an entry for each key, whose user is the key with other letters for what no user may have. */
export const usersOf = (...keys: string[]): object => ({
  auths: Object.fromEntries(keys.map((key) => [key, entry(`${userOf(key)}:p`)])),
});

/**
 * What the kubelet does with a pull secret: name, its config, an image, and the keys of what is tried in order (or `anonymous`, or
 * `broken`). Our reader is held against it, and the kubelet's own keyring too.
 */
export const kubeletCases: readonly (readonly [
  name: string,
  config: object,
  image: string,
  wanted: string,
])[] = [
  ["the port is text", usersOf("reg.io"), "reg.io:443/x", "anonymous"],
  ["a path is a prefix of the text", usersOf("reg.io/team"), "reg.io/teamwork/app", "reg.io/team"],
  ["a slash makes it exact", usersOf("reg.io/team/"), "reg.io/teamwork/app", "anonymous"],
  ["and still serves what is below", usersOf("reg.io/team/"), "reg.io/team/app", "reg.io/team/"],
  ["the longer path first", usersOf("reg.io", "reg.io/team/"), "reg.io/team/app", "reg.io/team/ reg.io"],
  ["/v2/ is cut off", usersOf("https://reg.io/v2/"), "reg.io/x", "https://reg.io/v2/"],
  ["/v2 is not", usersOf("https://reg.io/v2"), "reg.io/x", "anonymous"],
  ["a star is one label", usersOf("*.azurecr.io"), "mine.azurecr.io/x", "*.azurecr.io"],
  ["and no more than one", usersOf("*.io"), "mine.azurecr.io/x", "anonymous"],
  ["Hub by its name", usersOf("docker.io"), "nginx", "docker.io"],
  ["Hub by its old name", usersOf("https://index.docker.io/v1/"), "nginx", "https://index.docker.io/v1/"],
  ["not by the host it is served from", usersOf("registry-1.docker.io"), "nginx", "anonymous"],
  [
    "the old name only when nothing else fits",
    usersOf("docker.io/org", "https://index.docker.io/v1/"),
    "org/app",
    "docker.io/org",
  ],
  ["no auths around the entries", { "reg.io": entry("a:b") }, "reg.io/x", "anonymous"],
  [
    "one auth without a colon breaks all",
    { auths: { "reg.io": entry("a:b"), "b.io": entry("nocolon") } },
    "reg.io/x",
    "broken",
  ],
  ["an empty entry sends an empty login", { auths: { "reg.io": {} } }, "reg.io/x", "broken"],
  ["the inline pair counts", { auths: { "reg.io": { username: "u", password: "p" } } }, "reg.io/x", "reg.io"],
  [
    "base64 without padding counts",
    { auths: { "reg.io": { auth: b64("a:b1").replace(/=+$/, "") } } },
    "reg.io/x",
    "reg.io",
  ],
  ["a user in the key is cut off", usersOf("https://u:p@reg.io"), "reg.io/x", "https://u:p@reg.io"],
  ["a path in percent signs is decoded", usersOf("reg.io/team%2Fx"), "reg.io/team/x", "reg.io/team%2Fx"],
  ["a key that is no URL is left out", usersOf("reg.io/%zz"), "reg.io/x", "anonymous"],
  ["localhost gets Hub's old name", usersOf("index.docker.io"), "localhost/x", "index.docker.io"],
  ["but with a port it does not", usersOf("index.docker.io"), "localhost:5000/x", "anonymous"],
  [
    "where Hub is served from is another host",
    usersOf("docker.io"),
    "registry-1.docker.io/org/x",
    "anonymous",
  ],
  [
    "a number where text should be breaks all",
    { auths: { "b.io": { password: 3 }, "reg.io": entry("a:b") } },
    "reg.io/x",
    "broken",
  ],
  ["capitals are other letters", usersOf("Reg.io"), "reg.io/x", "anonymous"],
  ["credsStore does not", { credsStore: "pass", auths: { "reg.io": {} } }, "reg.io/x", "broken"],
];
