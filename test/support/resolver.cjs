/**
 * Sources import each other as `./x.js`, the name after compilation; under Jest the file is `x.ts` or `x.tsx`. What lies
 * in `node_modules` is left alone: there `.js` means `.js`.
 */
module.exports = function resolve(path, options) {
  const isSource = path.startsWith('.') && path.endsWith('.js') && !/[\\/]node_modules[\\/]/.test(options.basedir);
  if (!isSource) return options.defaultResolver(path, options);
  const stem = path.slice(0, -'.js'.length);
  for (const candidate of [`${stem}.ts`, `${stem}.tsx`]) {
    try {
      return options.defaultResolver(candidate, options);
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return options.defaultResolver(path, options);
};
