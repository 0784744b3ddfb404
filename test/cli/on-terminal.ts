import { spawn, spawnSync } from 'node:child_process';
import { MAIN, type Said } from './assayer.ts';

/** A person at a terminal: what has to stand on the screen, then what is typed. Python's pty is the terminal. */
export interface Step {
  readonly shown: string;
  readonly typed: string;
}

const PROGRAM = `
import json, os, pty, select, sys, time
steps, argv = json.loads(sys.argv[1]), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
screen, since, deadline = b"", 0, time.monotonic() + 60
while True:
    if time.monotonic() > deadline:
        os.kill(pid, 9)
        break
    if not select.select([fd], [], [], 0.2)[0]:
        continue
    try:
        read = os.read(fd, 65536)
    except OSError:
        break
    if not read:
        break
    screen += read
    while steps and steps[0]["shown"].encode() in screen[since:]:
        step = steps.pop(0)
        since = len(screen)
        # The prompt is written before the terminal is told not to echo.
        time.sleep(0.3)
        os.write(fd, step["typed"].encode())
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(screen)
sys.exit(code if code >= 0 else 99)
`;

/** Why there is no terminal to try; undefined where there is one. */
export const noTerminal =
  spawnSync('python3', ['-c', 'import os, pty; os.waitstatus_to_exitcode']).status === 0
    ? undefined
    : 'Python 3.9 is missing: apt-get install python3';

/** Runs a program on a terminal; `out` is the screen. */
export const onTerminal = (argv: readonly string[], steps: readonly Step[], cwd: string): Promise<Said> =>
  new Promise((resolve, reject) => {
    const child = spawn('python3', ['-c', PROGRAM, JSON.stringify(steps), ...argv], { cwd });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out: out.replaceAll('\r\n', '\n'), err }));
  });

/** Runs `assayer` on a terminal. */
export const assayerOnTerminal = (words: readonly string[], steps: readonly Step[], cwd: string): Promise<Said> =>
  onTerminal([process.execPath, MAIN, ...words], steps, cwd);
