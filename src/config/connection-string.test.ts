import { describe, expect, test } from "vitest";

import { PgdittoError } from "../errors.ts";
import { parseConnectionString } from "./connection-string.ts";
import { unenforced } from "./parameters.ts";

const origin = { code: "usage", name: "--source" } as const;

function partsOf(text: string): Record<string, string> {
  return Object.fromEntries([...parseConnectionString(text, origin)].map(([name, given]) => [name, given.value]));
}

function errorOf(text: string): PgdittoError {
  try {
    parseConnectionString(text, origin);
  } catch (error) {
    if (error instanceof PgdittoError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe("URLs (manual 34.1.1.2)", () => {
  test.each<[string, Record<string, string>]>([
    ["postgresql://", {}],
    ["postgresql://localhost", { host: "localhost" }],
    ["postgres://localhost:5433", { host: "localhost", port: "5433" }],
    ["POSTGRESQL://localhost/mydb", { host: "localhost", dbname: "mydb" }],
    ["postgresql://user@localhost", { user: "user", host: "localhost" }],
    ["postgresql://user:secret@localhost:5432/db", { user: "user", password: "secret", host: "localhost", port: "5432", dbname: "db" }],
    ["  postgresql://h/db\n", { host: "h", dbname: "db" }],
    ["postgresql:///mydb?host=localhost&port=5433", { dbname: "mydb", host: "localhost", port: "5433" }],
    ["postgresql:///db?host=/var/run/postgresql", { dbname: "db", host: "/var/run/postgresql" }],
    ["postgresql://%2Fvar%2Flib%2Fpostgresql/dbname", { host: "/var/lib/postgresql", dbname: "dbname" }],
    ["postgresql://[2001:db8::1234]/database", { host: "2001:db8::1234", dbname: "database" }],
    ["postgresql://u@[::1]:5433?sslmode=require", { user: "u", host: "::1", port: "5433", sslmode: "require" }],
    ["postgresql://:pw@h", { password: "pw", host: "h" }],
    ["postgresql://u:@h", { user: "u", host: "h" }],
    ["postgresql://u:p:q@h", { user: "u", password: "p:q", host: "h" }],
    ["postgresql://u:a%40b%2Fc%3Ad%25%20e@h", { user: "u", password: "a@b/c:d% e", host: "h" }],
    ["postgresql://u:p#w?x&y=1@h/db", { user: "u", password: "p#w?x&y=1", host: "h", dbname: "db" }],
    ["postgresql://us%C3%A9r:p+w@h/d%20b", { user: "usér", password: "p+w", host: "h", dbname: "d b" }],
    ["postgresql://h/Größe", { host: "h", dbname: "Größe" }],
    ["postgresql://h/db?ssl=true", { host: "h", dbname: "db", sslmode: "require" }],
    ["postgresql://h/db?application_name=x&keepalives_count=1&client_encoding=latin1", { host: "h", dbname: "db" }],
    ["postgresql://h/db?sslmode=&options=-c%20search_path%3Da", { host: "h", dbname: "db", options: "-c search_path=a" }],
    [
      "postgresql://h/db?user=u&password=p&dbname=other&connect_timeout=3",
      { host: "h", dbname: "other", user: "u", password: "p", connect_timeout: "3" },
    ],
    [
      "postgresql:///?service=main&passfile=/p&sslrootcert=system&sslcert=c&sslkey=k&sslpassword=s&sslcrl=r&sslnegotiation=direct",
      {
        service: "main",
        passfile: "/p",
        sslrootcert: "system",
        sslcert: "c",
        sslkey: "k",
        sslpassword: "s",
        sslcrl: "r",
        sslnegotiation: "direct",
      },
    ],
    [
      "postgresql://h/db?gssencmode=prefer&target_session_attrs=any&channel_binding=prefer&",
      { host: "h", dbname: "db", target_session_attrs: "any", channel_binding: "prefer" },
    ],
  ])("%s", (url, parts) => {
    expect(partsOf(url)).toEqual(parts);
  });
});

describe("key=value pairs (manual 34.1.1.1)", () => {
  test.each<[string, Record<string, string>]>([
    ["host=localhost port=5432 dbname=mydb connect_timeout=10", { host: "localhost", port: "5432", dbname: "mydb", connect_timeout: "10" }],
    ["host = localhost\tdbname= x\n user =u", { host: "localhost", dbname: "x", user: "u" }],
    ["password='two words' user=u", { password: "two words", user: "u" }],
    [String.raw`password='it\'s \\' user=a\ b\\`, { password: "it's \\", user: "a b\\" }],
    ["password='' host=h", { host: "h" }],
    ["password=a=b:c@d/e host=/tmp", { password: "a=b:c@d/e", host: "/tmp" }],
    ["host=h host=i", { host: "i" }],
  ])("%s", (text, parts) => {
    expect(partsOf(text)).toEqual(parts);
  });
});

describe("what is refused, never showing any of hunter2", () => {
  test.each<[string, string]>([
    ["", "is empty"],
    ["   ", "is empty"],
    ["mydb", "neither a postgresql:// URL nor key=value"],
    ["u:hunter2@h/db", "neither a postgresql:// URL nor key=value"],
    ["mysql://u:hunter2@h/db", "begins with mysql://"],
    ["postgresql+psycopg2://u:hunter2@h/db", "begins with postgresql+psycopg2://"],
    ["jdbc:postgresql://u:hunter2@h/db", "neither a postgresql:// URL"],
    ["postgresql://u:hun@ter2@h/db", "more than one @"],
    ["postgresql://u:hun/ter2@h/db", "not a port number"],
    ["postgresql://u:12/hunter2@h/db", "@ behind the host"],
    ["postgresql://u:hun@h/ter2@x/db", "@ behind the host"],
    ["postgresql://u:12/x?hunter2=1@h/db", "@ behind the host"],
    ["postgresql://h/a/hunter2", "database name holds an @ or /"],
    ["postgresql://u:hunter2%zz@h/db", "%"],
    ["postgresql://u:hunter2%4@h/db", "%"],
    ["postgresql://u:hunter2%00@h/db", "%"],
    ["postgresql://u:hunter2%ff@h/db", "not UTF-8"],
    ["postgresql://u:hunter2@h:54x/db", "not a port number"],
    ["postgresql://u:hunter2@h:-1/db", "not a port number"],
    ["postgresql://u:hunter2@::1/db", "not a port number"],
    ["postgresql://u:hunter2@[::1/db", "closing bracket"],
    ["postgresql://u:hunter2@[]/db", "in brackets is empty"],
    ["postgresql://u:hunter2@[::1]5432/db", "not a port"],
    ["postgresql://u:hunter2@h1:1,h2:2/db", "several hosts"],
    ["postgresql://u:hunter2@h/db?foo=1", "foo is not a connection parameter"],
    ["postgresql://u:hunter2@h/db?sslmode", 'has no "="'],
    ["postgresql://u@h/db?password=a&hunter2", 'has no "="'],
    ["postgresql://u@h/db?password=a&hunter2=b", "unknown parameter behind the password"],
    ["postgresql://u@h/db?sslmode=require;password=hunter2", 'more than one "="'],
    ["postgresql://u@h/db?password=hunter2&hostaddr=1.2.3.4", "hostaddr: pgditto does not support"],
    ["postgresql://h/db?require_auth=scram-sha-256", "require_auth: pgditto does not support"],
    ["postgresql://h/db?gssencmode=require", "gssencmode: pgditto does not support"],
    ["postgresql://h/db?ssl_min_protocol_version=TLSv1.3", "ssl_min_protocol_version: pgditto does not support"],
    ["host=h password=my hunter2", 'not followed by "="'],
    ["host=h password=my hunter2=3", "unknown parameter behind the password"],
    ["host=h password='hunter2", "quote is not closed"],
    ["host=h password='hunter2\\'", "quote is not closed"],
    ["host=h =x", 'not followed by "="'],
    ["host=h foo=1", "foo is not a connection parameter"],
    ["host=h\0 dbname=x", "NUL"],
  ])("%j", (text, reason) => {
    const error = errorOf(text);
    expect(error).toMatchObject({ code: "usage", exitCode: 2 });
    expect(error.message).toMatch(/^--source[:,]/);
    expect(error.message).toContain(reason);
    expect(error.hint).toBeTruthy();
    expect(JSON.stringify([error.message, error.hint, error.detail, error.object, error.cause])).not.toMatch(/hunter2|ter2|hun\b/);
  });

  test("a near name is offered", () => {
    expect(errorOf("postgresql://h/db?sslmod=require").hint).toBe("Did you mean sslmode?");
  });
});

test("what providers print into their URLs is accepted, and told", () => {
  const parameters = parseConnectionString(
    "postgresql://h/db?channel_binding=require&target_session_attrs=read-write&sslmode=require",
    origin,
  );
  expect(unenforced(parameters).map((given) => given.origin.name)).toEqual(["--source, channel_binding", "--source, target_session_attrs"]);
  expect(unenforced(parseConnectionString("postgresql://h/db?channel_binding=prefer", origin))).toEqual([]);
});
