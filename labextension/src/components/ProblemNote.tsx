import React from 'react';

import type { IProblem } from '../tokens';

/** What went wrong, and what to do about it. */
export function ProblemNote({
  problem
}: {
  problem: IProblem;
}): React.JSX.Element {
  return (
    <div className="jp-BentoProblem" role="alert">
      <p>{problem.message}</p>
      {problem.hint && <p className="jp-BentoProblem-hint">{problem.hint}</p>}
    </div>
  );
}
