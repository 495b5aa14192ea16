// Loaded before an app by the program that starts it: when that program is gone, however it went, the app ends in good order.
process.stdin.once('close', () => process.kill(process.pid, 'SIGTERM')).resume();
// The wait for it alone keeps no app alive.
process.stdin.unref?.();
