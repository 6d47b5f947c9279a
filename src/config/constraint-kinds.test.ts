import { expect, test } from "vitest";

import { PgdittoError } from "../errors.ts";
import { CONSTRAINT_KINDS, parseKinds } from "./constraint-kinds.ts";

test.each([
  [[], [...CONSTRAINT_KINDS]],
  [["check"], ["check"]],
  [
    ["unique,check", "foreign-key"],
    ["foreign-key", "check", "unique"],
  ],
  [
    ["check, unique", "check"],
    ["check", "unique"],
  ],
  [["NOT_NULL"], ["not-null"]],
])("%j", (texts, kinds) => {
  expect(parseKinds(texts)).toEqual(kinds);
});

test.each([
  [["fk"], '"fk" is no kind of constraint.', "Did you mean foreign-key?"],
  [["check,foreignkey"], '"foreignkey" is no kind of constraint.', "Did you mean foreign-key?"],
  [["uniqe"], '"uniqe" is no kind', "Did you mean unique?"],
  [["notnull"], '"notnull" is no kind', "Did you mean not-null?"],
  [["pk"], "a primary key stays", "The kinds are foreign-key, check"],
  [["trigger"], '"trigger" is no kind', "The kinds are foreign-key, check"],
  [[","], "there is no kind in it", "The kinds are foreign-key"],
])("%j is refused", (texts, message, hint) => {
  let thrown: unknown;
  try {
    parseKinds(texts);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(PgdittoError);
  expect(thrown).toMatchObject({ code: "usage", message: expect.stringContaining(message), hint: expect.stringContaining(hint) });
});
