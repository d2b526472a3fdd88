;; checksum.lisp: compiled by GCL beforehand, and loaded into its heap.
(defun checksum (n)
  (let ((s 0))
    (dotimes (i n s)
      (setq s (mod (+ (* s 31) i) 1000003)))))
