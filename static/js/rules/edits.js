// What can be done to a rule document: each edit takes it with a place and gives {document, focus}, where focus is the
// place to go on from. An edit that cannot be done gives null.
import { at, put, splice } from "./paths.js";
import { fresh, isGroup, isHolder, kindOf, partsOf } from "./kinds.js";

const inList = (path) => typeof path.at(-1) === "number";
const above = (path) => (inList(path) ? path.slice(0, -2) : path.slice(0, -1));

export function add(document, path, made = fresh()) {
  const kind = kindOf(at(document, path));
  const list = [...path, kind];
  const place = at(document, list).length;
  return { document: splice(document, [...list, place], 0, made), focus: [...list, place] };
}

/** Take a rule out; a group that would be left empty goes with it. */
export function remove(document, path) {
  if (!path.length) return null;
  const over = above(path);
  if (!inList(path) || at(document, path.slice(0, -1)).length === 1) return remove(document, over);
  const left = splice(document, path, 1);
  const list = path.slice(0, -1);
  return { document: left, focus: [...list, Math.min(path.at(-1), at(left, list).length - 1)] };
}

export function duplicate(document, path) {
  if (!inList(path)) return null;
  const next = [...path.slice(0, -1), path.at(-1) + 1];
  return { document: splice(document, next, 0, structuredClone(at(document, path))), focus: next };
}

/** Put a rule into a group of its own. */
export const wrap = (document, path) => ({ document: put(document, path, { all: [at(document, path)] }), focus: path });

/** Take a group or a holder away and leave what is inside. */
export function unwrap(document, path) {
  const node = at(document, path);
  const kind = kindOf(node);
  if (isHolder(kind)) return { document: put(document, path, node[kind]), focus: path };
  if (!isGroup(kind)) return null;
  if (inList(path)) return { document: splice(document, path, 1, ...node[kind]), focus: path };
  return node[kind].length === 1 ? { document: put(document, path, node[kind][0]), focus: path } : null;
}

/** One place up or down in reading order: past a neighbour, into a group that is one, or out of the own group. */
export function move(document, path, by) {
  if (!inList(path)) return null;
  const list = path.slice(0, -1);
  const place = path.at(-1);
  const items = at(document, list);
  const node = items[place];
  const neighbour = items[place + by];
  if (neighbour === undefined) return out(document, path, by);
  const kind = kindOf(neighbour);
  if (isGroup(kind)) {
    const inside = by < 0 ? [...neighbour[kind], node] : [node, ...neighbour[kind]];
    const met = put(document, [...list, place + by], { ...neighbour, [kind]: inside });
    const group = by < 0 ? place - 1 : place;
    return { document: splice(met, path, 1), focus: [...list, group, kind, by < 0 ? inside.length - 1 : 0] };
  }
  const swapped = splice(splice(document, path, 1), [...list, place + by], 0, node);
  return { document: swapped, focus: [...list, place + by] };
}

function out(document, path, by) {
  const group = above(path);
  if (!group.length || !inList(group)) return null;
  const node = at(document, path);
  const list = group.slice(0, -1);
  const place = group.at(-1) + (by < 0 ? 0 : 1);
  if (at(document, path.slice(0, -1)).length === 1) {
    // The group would be left empty: what was in it takes its place.
    return { document: put(document, group, node), focus: group };
  }
  return { document: splice(splice(document, path, 1), [...list, place], 0, node), focus: [...list, place] };
}

/** Every place of a rule in reading order with its number, such as "2.1"; the whole rule has none. */
export function numbered(document) {
  const found = [];
  const walk = (path, number) => {
    found.push({ path, number });
    partsOf(at(document, path)).forEach((step, index) => walk([...path, ...step], number ? `${number}.${index + 1}` : `${index + 1}`));
  };
  walk([], "");
  return found;
}
