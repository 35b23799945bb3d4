// `redress/testing`: time, randomness, strategies and policies for the tests of programs that use redress.

export * from "./testing/testing.js";
