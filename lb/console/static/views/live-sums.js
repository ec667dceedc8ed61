// What the requests of the last minute add up to: half-second slots, of which the oldest is taken away again. Never grows.

export const SLOT_MS = 500;
export const SLOTS = 120;
const RECENT_SLOTS = 4;

const emptySum = (buckets) => ({ count: 0, own: 0, outcomes: {}, buckets: new Array(buckets).fill(0), ways: new Map() });

// The key of a way through the map: requests with the same one look the same on it.
const keyOf = (edge) => `${edge.load_balancer}|${edge.port}|${edge.rule}|${edge.target_group}|${edge.target}`;

// `bounds` are the upper bounds of the latency buckets in ms, as the stream's "hello" tells them.
export function sums(bounds) {
  const size = bounds.length + 1;
  const slots = Array.from({ length: SLOTS }, () => emptySum(size));
  const total = emptySum(size);
  let at = null;

  // Makes `now` (ms) the present: slots that are older than a minute are taken away.
  function moveTo(now) {
    const wanted = Math.floor(now / SLOT_MS);
    at ??= wanted;
    const steps = Math.min(SLOTS, wanted - at);
    for (let step = 1; step <= steps; step++) {
      const place = (wanted - steps + step) % SLOTS;
      change(total, slots[place], -1);
      slots[place] = emptySum(size);
    }
    at = Math.max(at, wanted);
  }

  return {
    total,
    moveTo,
    // The edges of one batch.
    add(edges, now) {
      moveTo(now);
      for (const edge of edges) {
        const sum = emptySum(size);
        const own = edge.by === "balancer" && /4xx|5xx|cut/.test(edge.outcome) ? edge.count : 0;
        Object.assign(sum, { count: edge.count, own, outcomes: { [edge.outcome]: edge.count }, buckets: edge.buckets });
        sum.ways.set(keyOf(edge), { edge, count: edge.count, total_ms: edge.total_ms, outcomes: sum.outcomes });
        change(slots[at % SLOTS], sum, 1);
        change(total, sum, 1);
      }
    },
    // Requests per second of the last two seconds: of all, and [{ edge, rate, outcomes: { "2xx": rate } }] by way.
    recent() {
      const sum = emptySum(size);
      for (let back = 1; back <= RECENT_SLOTS; back++) change(sum, slots[(at - back + SLOTS) % SLOTS], 1);
      const perSecond = 1000 / (SLOT_MS * RECENT_SLOTS);
      const scaled = (outcomes) => Object.fromEntries(Object.entries(outcomes).map(([name, count]) => [name, count * perSecond]));
      return {
        rate: sum.count * perSecond,
        ways: [...sum.ways.values()].map(({ edge, count, outcomes }) => ({ edge, rate: count * perSecond, outcomes: scaled(outcomes) })),
      };
    },
    // [{ count, errors }] of the last minute, one per second, the oldest first.
    seconds() {
      return Array.from({ length: SLOTS / 2 }, (_, second) => {
        const pair = [1, 2].map((step) => slots[(at + second * 2 + step) % SLOTS]);
        const errors = pair.reduce((sum, { outcomes }) => sum + (outcomes["5xx"] ?? 0) + (outcomes.cut ?? 0), 0);
        return { count: pair[0].count + pair[1].count, errors };
      });
    },
  };
}

function change(sum, other, sign) {
  sum.count += sign * other.count;
  sum.own += sign * other.own;
  addTo(sum.outcomes, other.outcomes, sign);
  other.buckets.forEach((count, place) => { sum.buckets[place] += sign * count; });
  for (const [key, way] of other.ways) {
    const known = sum.ways.get(key) ?? { edge: way.edge, count: 0, total_ms: 0, outcomes: {} };
    known.count += sign * way.count;
    known.total_ms += sign * way.total_ms;
    addTo(known.outcomes, way.outcomes, sign);
    if (known.count > 0) sum.ways.set(key, known);
    else sum.ways.delete(key);
  }
}

function addTo(counts, others, sign) {
  for (const [name, count] of Object.entries(others)) counts[name] = (counts[name] ?? 0) + sign * count;
}

// The latency below which `part` of the counts lie, from a histogram: within a bucket as if evenly spread. null for none.
export function percentile(bounds, buckets, part) {
  const whole = buckets.reduce((sum, count) => sum + count, 0);
  if (!whole) return null;
  let left = part * whole;
  for (const [place, count] of buckets.entries()) {
    if (left <= count && count) {
      const from = place ? bounds[place - 1] : 0;
      const to = bounds[place] ?? from;
      return from + (to - from) * (left / count);
    }
    left -= count;
  }
  return bounds.at(-1);
}
