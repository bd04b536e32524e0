// Which panels a view has beside its tree. Nothing here touches the page.

export const viewTabs = [
  { tab: "timeline", text: "Timeline" },
  { tab: "source", text: "Source" },
  { tab: "log", text: "Log" },
  { tab: "signals", text: "Signals" },
  { tab: "all", text: "All" },
];

/**
 * Which tab a key leads to, as WAI-ARIA's tabs pattern has it.
 * @param {string} key
 * @param {number} index of the present one
 * @param {number} count
 * @returns {number} -1 if the key means nothing here
 */
export function tabAfter(key, index, count) {
  switch (key) {
    case "ArrowRight": return (index + 1) % count;
    case "ArrowLeft": return (index - 1 + count) % count;
    case "Home": return 0;
    case "End": return count - 1;
    default: return -1;
  }
}
