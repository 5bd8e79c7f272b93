import { contentDefaults, ContentSettings } from './content-options.js';

describe('the options of Content', () => {
  it('have defaults, also where undefined is given', () => {
    expect(ContentSettings.from({ tellPollMs: undefined, chartTimeLimitMs: 100 })).toEqual({
      ...contentDefaults,
      chartTimeLimitMs: 100,
    });
  });

  it.each<[object, string]>([
    [{ chartTimeLimitMs: -1 }, 'chartTimeLimitMs'],
    [{ pdfLimitBytes: 1.5 }, 'pdfLimitBytes'],
    [{ chartTimeLimit: 5 }, 'chartTimeLimit'],
  ])('stop the start when they make no sense, and are named: %j', (options, name) => {
    expect(() => ContentSettings.from(options)).toThrow(
      expect.objectContaining({ code: 'content_options_invalid', message: expect.stringContaining(name) }),
    );
  });
});
