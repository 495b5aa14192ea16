import { RetryableError, TerminalError } from '@v402/domain';
import { PartsError } from '@v402/local-parts';
import { CommanderError } from 'commander';
import { exitStatusOf, reportOf } from './exit.js';

describe('reportOf', () => {
  test.each([
    [new TerminalError('file_unreadable', 'There is no file.'), 'file_unreadable: There is no file.\n'],
    [new RetryableError('database_unavailable', 'It is away.'), 'database_unavailable: It is away.\n'],
    [new PartsError('java_missing', 'Install Java.'), 'java_missing: Install Java.\n'],
  ])('says a foreseen error as one sentence with its code: %s', (error, report) => {
    expect(reportOf(error)).toBe(report);
  });

  test('does not repeat what commander has said', () => {
    expect(reportOf(new CommanderError(1, 'commander.missingArgument', 'error: missing'))).toBe('');
  });

  test('shows what a message names, and lets none of it at the terminal', () => {
    const escape = String.fromCodePoint(0x1b);
    const error = new TerminalError('file_unreadable', `${escape}[2J cannot be read:\n  it does not exist.`);
    expect(reportOf(error)).toBe('file_unreadable: \\u{1b}[2J cannot be read:\n  it does not exist.\n');
  });

  test('quotes nothing of an error that nobody foresaw', () => {
    const report = reportOf(new SyntaxError('Unexpected token in "the secret"'));
    expect(report).toContain('unexpected_error');
    expect(report).toContain('SyntaxError');
    expect(report).not.toContain('secret');
  });
});

describe('exitStatusOf', () => {
  test('help and version that were asked for are no fault', () => {
    expect(exitStatusOf(new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'))).toBe(0);
  });

  test.each([
    new CommanderError(1, 'commander.unknownOption', 'error: unknown option'),
    new TerminalError('file_unreadable', 'There is no file.'),
    new Error('anything'),
  ])('everything else is 2: %s', (error) => {
    expect(exitStatusOf(error)).toBe(2);
  });
});
