/** What the command line needs of the grader. */
export { type Check, type CheckDefinition, loadChecks } from "./checks.ts";
export { courseFile, loadCourse } from "./course.ts";
export { type GradeListener, type GradeOptions, grade } from "./grade.ts";
export {
  type CheckResult,
  exitStatusOf,
  type Failure,
  type GradeRecord,
  gradeRecord,
  type Outcome,
  type StageResult,
} from "./record.ts";
export { UserError } from "./user-error.ts";
