import type { FileProblem, ProblemCode } from './provider.js';

const reasons: Record<ProblemCode, string> = {
  link_leaves_folder: "This is a link to a place outside the band's folder, so it is not shared.",
  link_broken: 'This is a link to a file that is not there.',
  not_readable: 'The platform has no permission to read this file.',
  file_too_large: 'This file is larger than the platform serves.',
};

export function problemOf(code: ProblemCode): FileProblem {
  return { code, reason: reasons[code] };
}
