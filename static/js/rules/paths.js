// Places in a rule document: arrays of keys and indices, written "$.all[0].did" as the server writes them. Nothing here
// changes what it is given.
export const written = (path) => "$" + path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");

export const at = (root, path) => path.reduce((value, step) => value?.[step], root);

/** The document with another value at a place; undefined takes the key out. */
export function put(root, path, value) {
  if (!path.length) return value;
  const [step, ...rest] = path;
  const copy = Array.isArray(root) ? [...root] : { ...root };
  const inner = rest.length ? put(copy[step] ?? {}, rest, value) : value;
  if (inner === undefined && !Array.isArray(copy)) delete copy[step];
  else copy[step] = inner;
  return copy;
}

/** The document with `added` put in, or `removed` items taken out, at a place in a list. */
export function splice(root, path, removed, ...added) {
  const list = path.slice(0, -1);
  return put(root, list, at(root, list).toSpliced(path.at(-1), removed, ...added));
}

/** An object with one key called something else, in its place. */
export const renamed = (object, from, to, value) => Object.fromEntries(Object.entries(object).map(([key, old]) => (key === from ? [to, value] : [key, old])));

/** How many objects and lists a document holds and how deep they lie, without recursion. */
export function size(root) {
  let count = 0, deepest = 0;
  const left = [[root, 1]];
  while (left.length) {
    const [value, depth] = left.pop();
    if (typeof value !== "object" || value === null) continue;
    count += 1;
    deepest = Math.max(deepest, depth);
    for (const one of Object.values(value)) left.push([one, depth + 1]);
  }
  return { count, deepest };
}
