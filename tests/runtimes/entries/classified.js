// What a program takes that names one classifier.

import { RetryPolicy } from "redress";
import * as backoff from "redress/backoff";
import * as classify from "redress/classify";

globalThis.classified = new RetryPolicy({ strategy: backoff.constant(1), resultClassifier: classify.http });
