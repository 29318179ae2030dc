import { expect, test } from "vitest";
import { textIn } from "../../shell/text";
import { duration, moment, score, secondsAhead, stepName, subject } from "./format";
import { choose } from "./jobs-view";
import type { Job } from "./types";

const text = textIn("en");

const job = (change: Partial<Job>): Job => ({
  id: "a",
  kind: "train",
  state: "waiting",
  name: "ssd-1",
  data: "digits",
  models: ["ssd"],
  minutes: 10,
  created: 0,
  started: null,
  ended: null,
  place: 1,
  progress: null,
  metric: null,
  value: null,
  reason: "",
  actions: [],
  has_report: false,
  model: null,
  ...change,
});

const running = (seconds: number | null): Job =>
  job({
    state: "running",
    progress: { step: "training", item: "", share: 0.5, seconds_left: seconds, images_per_second: null },
  });

test("durations have two parts at most", () => {
  expect(duration(0, text)).toBe("1 s");
  expect(duration(59.4, text)).toBe("59 s");
  expect(duration(90, text)).toBe("2 min");
  expect(duration(3600, text)).toBe("1 h");
  expect(duration(7500, text)).toBe("2 h 5 min");
  expect(duration(7500, textIn("ko"))).toBe("2시간 5분");
});

test("the date is left out today", () => {
  const now = new Date(2026, 10, 27, 18, 30);
  expect(moment(now.getTime() / 1000, text, now.getTime())).not.toContain("2026");
  expect(moment(now.getTime() / 1000 - 86_400, text, now.getTime())).toContain("2026");
});

test("a job without methods chooses them by the labels", () => {
  expect(subject(job({}), text)).toBe("ssd on digits");
  expect(subject(job({ models: [] }), text)).toBe("automatic on digits");
});

test("scores have three digits, and unknown ones a dash", () => {
  expect([score(0.5, text), score(null, text)]).toEqual(["0.500", "–"]);
});

test("stages that the page does not know keep their names", () => {
  expect(stepName("training", textIn("ko"))).toBe("학습");
  expect(stepName("box regressors", textIn("ko"))).toBe("box regressors");
});

test("the time ahead is that of all jobs, as far as it is known", () => {
  expect(secondsAhead([])).toBe(0);
  expect(secondsAhead([running(60), job({}), job({ state: "done" })])).toBe(660);
  expect(secondsAhead([running(null)])).toBe(null);
  expect(secondsAhead([job({ kind: "compare" })])).toBe(null);
});

test("the job that runs is shown, or the newest of its kind", () => {
  const done = job({ id: "b", state: "done" });
  const newer = job({ id: "c", state: "failed" });
  const compared = job({ id: "d", kind: "compare", state: "done" });
  expect(choose([done, running(1), newer], "train")).toBe("a");
  expect(choose([done, newer, compared], "train")).toBe("c");
  expect(choose([compared], "train")).toBe("");
});
