// How large what modules share is, by the linker's symbols; printed at build.
export const PAGES: number;
export const FUNCTIONS: number;
