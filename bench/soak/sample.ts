import { readdirSync, readFileSync } from "node:fs";
import { readUsage } from "../registry/process-tree.ts";

/** The server's process at one moment; megabytes of 10^6 bytes. */
export interface MemorySample {
  readonly minute: number;
  readonly residentMb: number;
  readonly anonymousMb: number;
  readonly peakMb: number;
  readonly openFiles: number;
  readonly cpuSeconds: number;
}

/** Reads /proc. Throws when the process has ended. */
export function readSample(pid: number, minute: number): MemorySample {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const megabytes = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024) / 1e6;
  return {
    minute,
    residentMb: megabytes("VmRSS"),
    anonymousMb: megabytes("RssAnon"),
    peakMb: megabytes("VmHWM"),
    openFiles: readdirSync(`/proc/${pid}/fd`).length,
    cpuSeconds: readUsage(pid).cpuSeconds,
  };
}

/** A straight line through anonymous memory by least squares: how many megabytes it rises in an hour, and the standard error of that. */
export function slopePerHour(samples: readonly MemorySample[]): {
  readonly slope: number;
  readonly error: number;
} {
  const hours = samples.map((sample) => sample.minute / 60);
  const values = samples.map((sample) => sample.anonymousMb);
  const [meanHour, meanValue] = [mean(hours), mean(values)];
  const spread = sum(hours.map((hour) => (hour - meanHour) ** 2));
  const slope = sum(hours.map((hour, at) => (hour - meanHour) * ((values[at] ?? 0) - meanValue))) / spread;
  const left = sum(
    values.map((value, at) => (value - meanValue - slope * ((hours[at] ?? 0) - meanHour)) ** 2),
  );
  return { slope, error: Math.sqrt(left / (samples.length - 2) / spread) };
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
