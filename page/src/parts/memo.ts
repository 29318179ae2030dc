import { Component, type ComponentType, h } from "preact";

/** A component that is drawn again only when one of its properties is another value. */
export function memo<P extends object>(Inner: (props: P) => preact.ComponentChildren): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const before = this.props as P;
      const names = Object.keys({ ...before, ...next }) as (keyof P)[];
      return names.some((name) => before[name] !== next[name]);
    }

    override render(props: P) {
      return h(Inner as ComponentType<P>, props);
    }
  };
}
