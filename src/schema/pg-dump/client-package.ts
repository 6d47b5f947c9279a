/** The command that installs the client programs of a major version, in the words of the platform. */
export function clientPackage(major: number, platform: string): string {
  if (platform === "darwin") return `brew install postgresql@${major}`;
  return `apt-get install postgresql-client-${major} (or dnf install postgresql${major}; see https://www.postgresql.org/download/)`;
}
