/** What the server said in an ErrorResponse (manual 55.8 "Error and Notice Message Fields"). */
export interface ServerReport {
  severity: string;
  sqlstate: string;
  message: string;
  detail: string | undefined;
  hint: string | undefined;
}

export function parseErrorResponse(body: Buffer): ServerReport {
  const fields = new Map<string, string>();
  for (const field of body.toString("utf8").split("\0")) {
    if (field !== "") fields.set(field.slice(0, 1), field.slice(1));
  }
  return {
    severity: fields.get("V") ?? fields.get("S") ?? "ERROR",
    sqlstate: fields.get("C") ?? "XX000",
    message: fields.get("M") ?? "",
    detail: fields.get("D"),
    hint: fields.get("H"),
  };
}
