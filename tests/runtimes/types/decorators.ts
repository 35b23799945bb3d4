// The stage-3 decorator keeps a method's type, and works as the language says.

import { backoff } from "redress";
import { retry } from "redress/decorators";

export class Gateway {
  calls = 0;

  @retry({ strategy: backoff.constant(0), maxAttempts: 3 })
  async read(key: string): Promise<number> {
    this.calls += 1;
    if (this.calls < 3) throw Object.assign(new Error("busy"), { status: 503 });
    return key.length;
  }

  @retry
  async bare(): Promise<string> {
    return "bare";
  }
}

const gateway = new Gateway();
const length: Promise<number> = gateway.read("four");
const bare: Promise<string> = gateway.bare();
// @ts-expect-error the argument is a string
const wrong = (): unknown => gateway.read(4);

export { bare, length, wrong };
