// The page in Firefox.

import { openFirefox } from "./browsers.mjs";
import { pageTests, served } from "./page-tests.mjs";

pageTests("firefox", openFirefox, served());
