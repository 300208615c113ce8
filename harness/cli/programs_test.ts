import assert from "node:assert/strict";
import { errorLine } from "./programs.ts";

Deno.test("errorLine() leaves out Deno's advice to allow more, which no option of a task does", () => {
  const cases = {
    'Requires all access to "/proc/x/a.json", run again with the --allow-all flag':
      'No access to "/proc/x/a.json": the system keeps programs out of it',
    'Requires read access to "/data/x", run again with the --allow-read flag':
      'No read access to "/data/x": the task does not allow it',
    'Requires net access to "example.org:443", run again with the --allow-net flag':
      'No net access to "example.org:443": the task does not allow it',
    " Unknown seeds\n": "Unknown seeds",
  };
  for (const [message, line] of Object.entries(cases)) {
    assert.equal(errorLine(new Deno.errors.NotCapable(message)), line);
  }
});
