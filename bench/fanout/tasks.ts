/** What all put and read, and where: in the home of the login user, which every host of the lab has for itself. */
export const path = '/home/ops/fanout.txt';
export const content = `${'one line of a small file\n'.repeat(40)}`;
