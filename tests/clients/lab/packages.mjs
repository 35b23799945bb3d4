// Debian's packages that servers are in.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/** A program of each package, by which it is known to be there. */
const PROGRAMS = {
  "postgresql-15": "/usr/lib/postgresql/15/bin/postgres",
  "mariadb-server": "/usr/sbin/mariadbd",
  "redis-server": "/usr/bin/redis-server",
  mosquitto: "/usr/sbin/mosquitto",
  "nats-server": "/usr/sbin/nats-server",
  "rabbitmq-server": "/usr/sbin/rabbitmq-server",
  openssl: "/usr/bin/openssl",
  prometheus: "/usr/bin/prometheus",
};

/** Installs what is missing of these packages. */
export function install(packages) {
  const missing = [...new Set(packages)].filter((name) => !existsSync(PROGRAMS[name]));
  if (missing.length === 0) return;
  console.log(`missing: apt-get install ${missing.join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...words) => execFileSync("apt-get", words, { env, stdio: ["ignore", "ignore", "inherit"] });
  try {
    apt("update", "-q");
  } catch {
    // An old list of packages may do, and a new one may not be had for every source.
  }
  apt("install", "-qy", "--no-install-recommends", ...missing);
}
