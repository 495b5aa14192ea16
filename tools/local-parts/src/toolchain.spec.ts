import { checkMaven, findJava, isMavenNewEnough, javaMajorVersion } from './toolchain.js';

describe('javaMajorVersion', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17],
    ['java version "1.8.0_402"', 8],
    ['openjdk version "21" 2023-09-19', 21],
    ['openjdk version "25-ea" 2025-09-16', 25],
    ['Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "11.0.2"', 11],
  ])('reads %j', (output, major) => {
    expect(javaMajorVersion(output)).toBe(major);
  });

  it('finds none in other text', () => {
    expect(javaMajorVersion('The operation couldn’t be completed. Unable to locate a Java Runtime.')).toBeUndefined();
  });
});

describe('isMavenNewEnough', () => {
  it.each([
    ['Apache Maven 3.8.7', true],
    ['Apache Maven 3.6.3', true],
    ['Apache Maven 4.0.0-rc-4', true],
    ['Apache Maven 3.6.2', false],
    ['Apache Maven 2.9.9', false],
    ['something else', false],
  ])('%j: %s', (output, isEnough) => {
    expect(isMavenNewEnough(output)).toBe(isEnough);
  });
});

describe('a missing tool', () => {
  const nothing = { PATH: '/nonexistent' };

  it('says what to install for Java', async () => {
    await expect(findJava(nothing)).rejects.toMatchObject({
      code: 'java_missing',
      message: expect.stringMatching(
        /apt-get install openjdk-17-jre-headless maven[^]*V402_TEST_KAFKA_BROKERS/,
      ) as string,
    });
  });

  it('does not look further than JAVA_HOME when that is set', async () => {
    await expect(findJava({ ...process.env, JAVA_HOME: '/nonexistent' })).rejects.toMatchObject({
      code: 'java_missing',
      message: expect.stringContaining('/nonexistent/bin/java') as string,
    });
  });

  it('says what to install for Maven', async () => {
    await expect(checkMaven(nothing)).rejects.toMatchObject({
      code: 'maven_missing',
      message: expect.stringContaining('apt-get install') as string,
    });
  });
});
