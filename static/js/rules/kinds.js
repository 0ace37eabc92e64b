// The kinds of condition: how each is recognised in a document, what a new one looks like, and what of another kind it
// can take over.
export const KINDS = ["did", "on_days", "spent", "grew", "since", "trait", "score", "segment", "stage", "rule", "held", "lately", "all", "any", "not"];
const HEADS = ["all", "any", "not", "did", "spent", "grew", "since", "held", "lately", "rule", "trait", "segment", "stage"];
export const OPERATORS = ["is", "is_not", "in", "not_in", "contains", "starts_with", "gt", "gte", "lt", "lte", "before", "after", "exists"];
const SELECTING = ["did", "on_days", "spent", "grew", "since"];
const HOLDING = ["not", "held", "lately"];

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** The kind of a node; "other" for what is no rule (yet), which is shown as text. */
export function kindOf(node) {
  if (!isObject(node)) return "other";
  const heads = HEADS.filter((head) => head in node);
  if (heads.length !== 1) return "other";
  const [head] = heads;
  if ((head === "all" || head === "any") && !Array.isArray(node[head])) return "other";
  if (head === "did" && "on_days" in node) return "on_days";
  if (head === "trait" && String(node.trait).startsWith("score:")) return "score";
  return head;
}

/** The key under which a node keeps what it selects, holds or names. */
export const headOf = (kind) => ({ on_days: "did", score: "trait" })[kind] ?? kind;
export const isGroup = (kind) => kind === "all" || kind === "any";
export const isHolder = (kind) => HOLDING.includes(kind);

/** Places of the rules directly inside a node. */
export function partsOf(node) {
  const kind = kindOf(node);
  if (isGroup(kind)) return node[kind].map((_part, index) => [kind, index]);
  return isHolder(kind) ? [[kind]] : [];
}

const bought = () => ({ did: { role: "purchase" }, within: "90d" });
export const fresh = () => bought();

/** A node of another kind that keeps of the old one what it can. */
export function turned(node, kind, words) {
  const old = kindOf(node);
  const selector = SELECTING.includes(old) ? node[headOf(old)] : { role: "purchase" };
  const within = typeof node?.within === "string" ? node.within : undefined;
  const parts = isGroup(old) ? node[old] : isHolder(old) ? [node[old]] : old === "other" ? [] : [node];
  const only = parts.length === 1 ? parts[0] : parts.length ? { [old]: parts } : bought();
  const windowed = (made) => (within ? { ...made, within } : made);
  switch (kind) {
    case "all": case "any": return { [kind]: parts.length ? parts : [bought()] };
    case "not": return { not: only };
    case "held": return { held: only, for: "30d" };
    case "lately": return { lately: only, within: "30d" };
    case "did": return windowed(node?.at_least && old === "did" ? { did: selector, at_least: node.at_least } : { did: selector });
    case "on_days": return windowed({ did: selector, on_days: 2 });
    case "spent": return windowed({ spent: selector, at_least: "100.00" });
    case "grew": return { grew: selector, by: "1.25", within: within ?? "90d" };
    case "since": return { since: selector, until: { role: "refund" } };
    case "trait": return { trait: words.traits[0]?.value ?? "", exists: true };
    case "score": return { trait: "score:risk", gte: 8 };
    case "segment": return { segment: words.segments[0]?.value ?? "" };
    case "stage": return { stage: words.stages[0] ? [words.stages[0].model, words.stages[0].stage] : ["", ""] };
    default: return { rule: words.rules[0]?.value ?? "" };
  }
}
