import type { ConsumerLogin, FileDocument, Refusal, Target, Warning } from "../contract.ts";
import { dockerKey } from "../docker/docker-config.ts";
import { apptainerFile, variantOf } from "./paths.ts";

/** What an environment module needs to know. It holds no secret. */
interface ModuleText {
  /** `APPTAINER_DOCKER` or `SINGULARITY_DOCKER`. */
  readonly prefix: string;
  readonly registry: string;
  readonly key: string;
  /** Where docker-config.json is: below the home of whoever loads the module, or everywhere the same. */
  readonly file: { readonly inHome: boolean; readonly path: string };
}

export interface CompiledModule {
  readonly documents: readonly FileDocument[];
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly Warning[];
}

/**
 * The environment module that `module:` of a delivery asks for: Lmod's where the name ends in `.lua`, else Tcl's. It reads the pair from
 * docker-config.json when it is loaded, since a pair in the environment is one login for every registry.
 */
export function compileModule(logins: readonly ConsumerLogin[], target: Target): CompiledModule {
  const option = target.options?.["module"];
  if (option === undefined || logins.length === 0) return { documents: [], refusals: [], warnings: [] };
  const path = modulePath(option, target);
  const [login, ...others] = logins;
  const wrong =
    path === undefined
      ? {
          reason: "module: is no absolute path",
          hint: "write module: /opt/modules/NAME.lua, or ~/modulefiles/NAME",
        }
      : others.length > 0
        ? {
            reason: `a module sets one pair for every registry, and ${logins.length} logins are in this delivery`,
            hint: "name one login in the delivery with module:, and deliver the others without",
          }
        : login?.identityToken === true
          ? { reason: "a module sets a username and a password, and this is an identity token" }
          : undefined;
  if (wrong !== undefined || path === undefined || login === undefined)
    return {
      documents: [],
      refusals: logins.map(({ name }) => ({ login: name, reason: "", ...wrong })),
      warnings: [],
    };
  const own = apptainerFile(target);
  const inHome = own.startsWith(`${target.home}/`);
  const prefix = variantOf(target) === "singularity" ? "SINGULARITY_DOCKER" : "APPTAINER_DOCKER";
  const text: ModuleText = {
    prefix,
    registry: login.registry,
    key: dockerKey(login.registry),
    file: { inHome, path: inHome ? own.slice(target.home.length) : own },
  };
  const body = path.endsWith(".lua") ? renderLua(text) : renderTcl(text);
  return {
    documents: [{ kind: "file", path, mode: 0o644, folderMode: 0o755, entries: [], body }],
    refusals: [],
    warnings: [
      {
        kind: "danger",
        login: login.name,
        message: `while the module is loaded, ${variantOf(target)} sends this login to every registry and reads no file, public images elsewhere fail with it, and jobs and containers get the secret in their environment`,
        hint: "without module: the same login is used for its own registry alone",
      },
    ],
  };
}

/** undefined: no path that could be written. Quotes and the like would end a text of the module. */
function modulePath(option: unknown, target: Target): string | undefined {
  if (typeof option !== "string") return undefined;
  const path = option.startsWith("~/") ? `${target.home}${option.slice(1)}` : option;
  return /^\/[\w./+@-]+$/.test(path) && !path.endsWith("/") && !path.includes("/../") ? path : undefined;
}

const HEAD = [
  "Written by wharf, and written again. There is no secret here: it is read from docker-config.json when this is loaded.",
  "While it is loaded the one login goes to every registry; jobs and containers get it in their environment.",
];

function renderLua({ prefix, registry, key, file }: ModuleText): string {
  const path = file.inHome ? `(os.getenv("HOME") or "") .. "${file.path}"` : `"${file.path}"`;
  return `${HEAD.map((line) => `-- ${line}`).join("\n")}
whatis("login of ${registry}, in ${prefix}_USERNAME and ${prefix}_PASSWORD")

local function decode(text)
   local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
   local bytes, held, bits = {}, 0, 0
   for char in text:gmatch("[%w+/]") do
      held = held * 64 + alphabet:find(char, 1, true) - 1
      bits = bits + 6
      if bits >= 8 then
         bits = bits - 8
         local byte = math.floor(held / 2 ^ bits)
         bytes[#bytes + 1] = string.char(byte)
         held = held - byte * 2 ^ bits
      end
   end
   return table.concat(bytes)
end

local function pair(path, key)
   local file = io.open(path, "r")
   if not file then return nil end
   local text = file:read("*a")
   file:close()
   local at = text:find('"' .. key .. '"', 1, true)
   while at do
      local auth = text:match('^"[^"]*"%s*:%s*{[^{}]-"auth"%s*:%s*"([%w+/=]+)"', at)
      if auth then return decode(auth):match("^([^:]*):(.*)$") end
      at = text:find('"' .. key .. '"', at + 1, true)
   end
end

-- Only "load" needs the pair: \`module show\` prints what is set.
local username, secret = "", ""
if mode() == "load" then
   username, secret = pair(${path}, "${key}")
   if not username then
      LmodError("no login of ${registry} in docker-config.json: wharf apply writes it")
   end
end
setenv("${prefix}_USERNAME", username)
setenv("${prefix}_PASSWORD", secret)
`;
}

function renderTcl({ prefix, registry, key, file }: ModuleText): string {
  const path = file.inHome ? `$::env(HOME)${file.path}` : file.path;
  const pattern = `"${key.replace(/[^\w]/g, "\\$&")}"\\s*:\\s*\\{[^{}]*?"auth"\\s*:\\s*"([A-Za-z0-9+/=]+)"`;
  return `#%Module1.0
${HEAD.map((line) => `# ${line}`).join("\n")}
module-whatis "login of ${registry}, in ${prefix}_USERNAME and ${prefix}_PASSWORD"

proc wharf_pair {path pattern} {
    if {[catch {open $path r} file]} { return {} }
    set text [read $file]
    close $file
    if {![regexp $pattern $text -> auth]} { return {} }
    set pair [encoding convertfrom utf-8 [binary decode base64 $auth]]
    set colon [string first : $pair]
    return [list [string range $pair 0 [expr {$colon - 1}]] [string range $pair [expr {$colon + 1}] end]]
}

# Only "load" needs the pair: module show prints what is set.
set pair [list {} {}]
if {[module-info mode load]} {
    set pair [wharf_pair "${path}" {${pattern}}]
    if {[llength $pair] != 2} {
        puts stderr "no login of ${registry} in docker-config.json: wharf apply writes it"
        break
    }
}
setenv ${prefix}_USERNAME [lindex $pair 0]
setenv ${prefix}_PASSWORD [lindex $pair 1]
`;
}
