import { createAccess } from "#access";
import { createApi } from "#api";
import { openCatalog } from "#catalog";
import { withTemporaryFolder } from "#system";
import { code, GENERATED, renderMarkdownTable } from "./markdown.ts";

/** The parts of an OpenAPI 3.1 document that the page is made of. */
interface OpenApi {
  readonly servers?: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: Schema;
    readonly description?: string;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
  readonly responses: Readonly<Record<string, Answer>>;
}

interface Answer {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly format?: string;
  readonly anyOf?: readonly Schema[];
  readonly description?: string;
}

/** The OpenAPI document as a running server serves it. */
export function readOpenApi(): Promise<string> {
  return withTemporaryFolder("wharf-docs-", async (dir) => {
    const catalog = await openCatalog({ dir });
    try {
      const api = createApi({ catalog, access: createAccess({ catalog }), dataDir: dir });
      const response = await api.fetch(new Request("http://registry.example/api/v1/openapi.json"), {
        address: "127.0.0.1",
      });
      return `${JSON.stringify(await response.json(), null, 2)}\n`;
    } finally {
      await catalog.close();
    }
  });
}

/** docs/reference/api.md, from the OpenAPI document. */
export function renderApi(openApi: string): string {
  const document: OpenApi = JSON.parse(openApi);
  const base = document.servers?.[0]?.url ?? "";
  const blocks = [
    GENERATED,
    "# Management API",
    'The same as [openapi.json](openapi.json), which a server serves at `/api/v1/openapi.json`. Basic authentication with a username and a password or token works on every address. Lists are `{"items": […], "next": …}`: give `next` back as `?after=` for the rest. Errors are `application/problem+json` with a `code` of [errors](errors.md).',
  ];
  blocks.push(
    "Refusals, everywhere:",
    renderRefusals(Object.values(document.paths).flatMap((operations) => Object.values(operations))),
  );
  for (const [path, operations] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(operations))
      blocks.push(renderOperation(method.toUpperCase(), `${base}${path}`, operation));
  blocks.push("## Documents");
  for (const [name, schema] of Object.entries(document.components?.schemas ?? {}))
    if (schema.properties !== undefined) blocks.push(`### ${name}`, renderProperties(schema));
  return `${blocks.join("\n\n")}\n`;
}

function renderOperation(method: string, path: string, operation: Operation): string {
  const blocks = [`## ${method} ${path}`];
  if (operation.summary !== undefined) blocks.push(sentence(operation.summary));
  if (operation.description !== undefined) blocks.push(operation.description);
  const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === "query");
  if (parameters.length > 0)
    blocks.push(
      renderMarkdownTable(
        ["query", "what it is"],
        parameters.map(({ name, schema, description }) => [code(name), description ?? renderType(schema)]),
      ),
    );
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  if (body !== undefined) blocks.push(`Takes ${renderType(body)}.`);
  const answers = Object.entries(operation.responses)
    .filter(([status]) => status.startsWith("2"))
    .map(([status, response]) => `- ${renderAnswer(status, response)}`);
  return [...blocks, answers.join("\n")].join("\n\n");
}

function renderAnswer(status: string, { description, content }: Answer): string {
  const schema = Object.values(content ?? {})[0]?.schema;
  return `${status}: ${description.replace(/\.$/, "")}${schema === undefined ? "" : `: ${renderType(schema)}`}`;
}

/** Refusals are the same everywhere: said once. */
function renderRefusals(operations: readonly Operation[]): string {
  const refusals = new Map<string, Answer>();
  for (const { responses } of operations)
    for (const [status, response] of Object.entries(responses))
      if (!status.startsWith("2")) refusals.set(status, response);
  return [...refusals].map(([status, response]) => `- ${renderAnswer(status, response)}`).join("\n");
}

function renderProperties(schema: Schema): string {
  return renderMarkdownTable(
    ["field", "type", ""],
    Object.entries(schema.properties ?? {}).map(([name, property]) => [
      code(name),
      renderType(property),
      [
        ...(schema.required?.includes(name) === true ? ["required"] : []),
        ...(property.default === undefined ? [] : [`default ${code(JSON.stringify(property.default))}`]),
        ...(property.description === undefined ? [] : [property.description]),
      ].join("; "),
    ]),
  );
}

function renderType(schema: Schema | undefined): string {
  if (schema === undefined) return "a text";
  const name = schema.$ref?.split("/").pop();
  if (name !== undefined) return `[${name}](#${name.toLowerCase()})`;
  if (schema.anyOf !== undefined) return schema.anyOf.map(renderType).join(" or ");
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(" or ");
  if (schema.type === "array") return `list of ${renderType(schema.items)}`;
  if (schema.properties !== undefined)
    return `{ ${Object.entries(schema.properties)
      .map(([key, property]) => `${code(key)}: ${renderType(property)}`)
      .join(", ")} }`;
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : String(schema.type ?? "anything");
  return schema.format === undefined ? type : `${type} (${schema.format})`;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
