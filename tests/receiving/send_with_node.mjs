// Sends mixed messages with @segment/analytics-node, unmodified, and prints what came of each: {"ids": [...], "failed": n}.
// Arguments: address, write key, how many.
import { Analytics } from "@segment/analytics-node";

const [host, writeKey, count] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const analytics = new Analytics({ host, writeKey, flushAt: 100, flushInterval: 1000, maxRetries: 10 });
const ids = [];
let failed = 0;
analytics.on("error", () => failed++);

// The same choice every time: a linear congruential generator is chance enough.
let state = 7;
const chance = (below) => ((state = (state * 1103515245 + 12345) % 2147483648), Math.floor((state / 2147483648) * below));

const taken = (error, context) => (error ? failed++ : ids.push(context.event.messageId));
for (let number = 0; number < count; number++) {
  const userId = `node ${chance(Math.max(5, count / 10))}`;
  const both = { userId, anonymousId: `device of ${userId}` };
  const kind = chance(100);
  if (kind < 60) {
    const event = ["Order Completed", "Feature Used"][chance(2)];
    analytics.track({ ...both, event, properties: { total: number, note: "it’s <i>“odd”</i> \u0001 😀" } }, taken);
  } else if (kind < 80) {
    analytics.identify({ ...both, traits: { email: `${userId.replace(" ", "")}@example.org`, n: number } }, taken);
  } else if (kind < 90) {
    analytics.page({ ...both, name: "Home", properties: { path: "/" } }, taken);
  } else if (kind < 95) {
    analytics.screen({ ...both, name: "Start" }, taken);
  } else {
    analytics.group({ ...both, groupId: `group ${number % 7}`, traits: { name: "G" } }, taken);
  }
  // Whoever sends is a server with other things to do: the library gets its turn now and then.
  if (number % 500 === 499) await new Promise((resume) => setImmediate(resume));
}
await analytics.closeAndFlush({ timeout: 120_000 });
console.log(JSON.stringify({ ids, failed }));
