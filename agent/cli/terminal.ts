/** What a view that is drawn again in place tells a terminal (ECMA-48, and the private modes of xterm). */
export const HIDE_CURSOR = '\x1b[?25l';
export const SHOW_CURSOR = '\x1b[?25h';
/** Text of unknown width must never push a line into the next. */
export const NO_WRAP = '\x1b[?7l';
export const WRAP = '\x1b[?7h';
export const CLEAR_LINE = '\x1b[K';
export const CLEAR_BELOW = '\x1b[J';
