/** What activities work with, made once by the worker and closed when it ends; tests wrap it to cut calls off. */
export type { Clients } from '../clients';
