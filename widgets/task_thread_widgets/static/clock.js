// What tells a panel the time. A panel of a running program goes by the page's own clock; one that shows a
// recording by its player, which may stand still, be slow, or go back. Each panel asks its own model: several
// recordings may be shown in one page. Nothing here touches the page.

/**
 * @param {{get: (name: string) => any}} model "recorded" is the player, if there is one
 * @returns {{now: () => number}} in milliseconds
 */
export function clockOf(model) {
  return model.get("recorded") ?? performance;
}
