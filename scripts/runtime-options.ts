/**
 * How V8 runs the agent, in the binary and in the bench. The new generation of its own choice takes up to 60 MB, which most
 * looks do not need. It must be one of the options that NODE_OPTIONS may hold: Node compiles what goes into the binary with
 * them, and V8 takes no code that was compiled with others.
 */
export const RUNTIME_OPTIONS: readonly string[] = ['--max-semi-space-size=12'];
