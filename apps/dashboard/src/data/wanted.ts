/**
 * Hands over what a promise gives, or the words of its failure, unless the returned function was called before: what a screen that was left still
 * reads disturbs nothing. For effects, which call it when they run anew and when their component goes.
 *
 * @param begin Asks for it; work of many steps looks at `isWanted` between them, and may give anything where it is not.
 */
export function whileWanted<T>(
  begin: (isWanted: () => boolean) => Promise<T>,
  take: (found: T) => void,
  fail: (message: string) => void,
): () => void {
  let isOver = false;
  begin(() => !isOver).then(
    (found) => {
      if (!isOver) take(found);
    },
    (error: unknown) => {
      if (!isOver) fail(error instanceof Error ? error.message : String(error));
    },
  );
  return () => {
    isOver = true;
  };
}
