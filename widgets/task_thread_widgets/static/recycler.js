// The rows of a list that are scrolled into view, by their numbers: what stands for a row that is scrolled
// away stands for another one next. To make a thousand of them would cost the page its smoothness.

/**
 * @template {{element: HTMLElement}} View
 */
export class Recycler {
  /** @param {() => View} make */
  constructor(make) {
    this.make = make;
    /** @type {Map<number, View>} */
    this.views = new Map();
    /** @type {View[]} */
    this.spare = [];
  }

  /** How high each is, in pixels, measured in the list where they stand. */
  heightIn(list) {
    const { element } = this.make();
    list.append(element);
    const { height } = element.getBoundingClientRect();
    element.remove();
    return height;
  }

  /** Take out of the page what is not wanted any more. @param {{has(number: number): boolean}} wanted */
  keep(wanted) {
    for (const [number, view] of this.views) {
      if (wanted.has(number)) continue;
      this.views.delete(number);
      this.spare.push(view);
      view.element.remove();
    }
  }

  /** What stands for a row; a new one has to be put into the page, its element has no parent. */
  of(number) {
    let view = this.views.get(number);
    if (!view) {
      view = this.spare.pop() ?? this.make();
      this.views.set(number, view);
    }
    return view;
  }
}
