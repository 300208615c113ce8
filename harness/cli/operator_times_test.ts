import assert from "node:assert/strict";
import { operatorTimes, scaledTime } from "./operator_times.ts";

const node = (op_name: string, dur: number) => ({
  cat: "Node",
  name: `${op_name}_kernel_time`,
  dur,
  args: { op_name },
});
const end = { cat: "Session", name: "model_run", dur: 9999 };

Deno.test("operatorTimes() means over the runs after the first, whose own times it leaves out", () => {
  const events = [
    node("Conv", 9000),
    end,
    node("Conv", 1000),
    node("Mul", 10),
    end,
    node("Conv", 3000),
    node("Mul", 30),
    node("Loop", 40), // the Mul was in its body
    end,
  ];
  assert.deepEqual(operatorTimes(events, { skip: 1 }), {
    Conv: { nodes: 1, ms: 2 },
    Mul: { nodes: 1, ms: 0.02 },
  });
  assert.throws(() => operatorTimes(events, { skip: 3 }), RangeError);
});

Deno.test("scaledTime() divides what two threads halved and keeps what they did not change", () => {
  const one = { Conv: { nodes: 1, ms: 8 }, Slice: { nodes: 1, ms: 1 }, Mul: { nodes: 1, ms: 4 } };
  const two = { Conv: { nodes: 1, ms: 4 }, Slice: { nodes: 1, ms: 1.2 }, Mul: { nodes: 1, ms: 3 } };
  // Mul: half of it is serial
  assert.equal(scaledTime(one, two, { measured: 2, threads: 4 }), 8 / 4 + 1 + 2 + 2 / 4);
  assert.equal(scaledTime(one, two, { measured: 2, threads: 1 }), 13);
});
