const query = matchMedia('(prefers-color-scheme: dark)');

/** What the system prefers, as it changes. */
class System {
  prefersDark = $state(query.matches);

  constructor() {
    query.addEventListener('change', () => { this.prefersDark = query.matches; }); // prettier-ignore
  }
}

export const system = new System();
