/**
 * Does a value only stand for one: `<password>`, `$SECRET`, `{{ secret }}`, `your-token`, `xxxx`, `…`. An empty one too. `$oauthtoken` and
 * Quay's kin are names, and not meant here.
 */
export function isPlaceholder(text: string): boolean {
  const value = text.trim();
  return (
    value === "" ||
    /<[^<>]{1,80}>|\{\{|…|\.\.\./.test(value) ||
    /^\$(?:\{\w+\}|[A-Z_][A-Z0-9_]*$|\()/.test(value) ||
    /^\[[^\]]*\]$/.test(value) ||
    /(?:^|[-_ ])(?:your|my|some|example|changeme|change-me|placeholder|paste|redacted|secret-here)(?:[-_ ]|$)/i.test(
      value,
    ) ||
    /^(?:x+|\*+|password|secret|token|pass|pword|passwd|api-?key)$/i.test(value)
  );
}
