// The page of one run.
import { firmwareSection, profilerSection } from "./firmware.js";
import { listingSection } from "./listing.js";
import { memorySection } from "./memory.js";
import { operatorSection } from "./operators.js";
import { pathSection } from "./path.js";
import { rooflineSection } from "./roofline.js";
import { stallSection } from "./stalls.js";
import { limitsSection, summarySection, titleOf } from "./summary.js";
import { timelineSection } from "./timeline.js";

export function runPage(report) {
  const timeline = timelineSection(report);
  return {
    title: titleOf(report),
    subtitle: `${report.strategy} on ${report.hardware}`,
    sections: [
      summarySection(report),
      rooflineSection(report),
      timeline,
      stallSection(report),
      operatorSection(report, timeline ? timeline.showLaunches : null),
      pathSection(report),
      memorySection(report),
      firmwareSection(report),
      listingSection(report),
      profilerSection(report),
      limitsSection(report),
    ].filter(Boolean),
  };
}
