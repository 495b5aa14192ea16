/** RFC 3339 in UTC with `T` and `Z`, any number of fraction digits; compared exactly on its text (section 3). */
export type Instant = string;
