// Stops what parts.setup.mjs started; a second call has nothing left to stop.
export default async function teardown() {
  await (await globalThis.v402LocalParts)?.stop();
}
