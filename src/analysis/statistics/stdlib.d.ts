/** The distributions of @stdlib in one file; only what is used here is declared. */
declare module '@stdlib/dist-stats-base-dists-flat' {
  const distributions: {
    readonly base: {
      readonly dists: {
        /** Student's t with `v` degrees of freedom. */
        readonly t: {
          readonly cdf: (x: number, v: number) => number;
          readonly quantile: (p: number, v: number) => number;
        };
      };
    };
  };
  export default distributions;
}
